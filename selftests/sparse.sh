#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# sparse.sh ARGUMENTS: sparse for kbuild (CHECK=), told of what headers have had
# since its last release: a keyword of C23, and a function of the compiler's in
# constant expressions, there only for literals.

exec sparse '-D__typeof_unqual__=__typeof__' '-D__builtin_strlen(s)=(sizeof(s) - 1)' "$@"
