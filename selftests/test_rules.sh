#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The rules, as a unit test over the same source file as the module's.

exec /payload/rules_test
