#!/usr/bin/env python3
"""Runs MODULE out of the tree beside this file, on the packages in its vendor/."""

import os
import runpy
import sys

MODULE = ""  # build.sh fills it in

sys.dont_write_bytecode = True
tree = os.path.realpath(__file__) + ".d"
sys.path[:0] = [tree, os.path.join(tree, "vendor")]
runpy.run_module(MODULE, run_name="__main__")
