"""What tests start in processes of their own: these import the package that the tests import."""

import os
from pathlib import Path

import latentia

ROOT = Path(__file__).parents[1]
TESTED = "PACKAGE_UNDER_TEST"
"""The variable in which a child finds the file of the package that it has to import."""


def environment(**more):
    """Return the environment of a child of one thread that finds the package and these tests."""
    source = Path(latentia.__file__).parents[1]
    path = os.pathsep.join([str(source), str(ROOT)])
    own = {"PYTHONPATH": path, TESTED: latentia.__file__}
    return os.environ | {"LATENTIA_THREADS": "1", "OMP_NUM_THREADS": "1"} | own | more


def check_package():
    """In a child: hold the package that was imported against that of the tests."""
    assert latentia.__file__ == os.environ[TESTED], latentia.__file__
