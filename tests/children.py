"""What tests start in processes of their own: these import the package that the tests import."""

import gc
import os
import signal
import sys
import traceback
import warnings
from pathlib import Path

import latentia

ROOT = Path(__file__).parents[1]
TESTED = "PACKAGE_UNDER_TEST"
"""The variable in which a child finds the file of the package that it has to import."""
TRACEBACK = 99
LONGEST = 60
"""Seconds after which a job of a moment is said to hang."""


def environment(**more):
    """Return the environment of a child of one thread that finds the package and these tests."""
    source = Path(latentia.__file__).parents[1]
    path = os.pathsep.join([str(source), str(ROOT)])
    own = {"PYTHONPATH": path, TESTED: latentia.__file__}
    return os.environ | {"LATENTIA_THREADS": "1", "OMP_NUM_THREADS": "1"} | own | more


def check_package():
    """In a child: hold the package that was imported against that of the tests."""
    assert latentia.__file__ == os.environ[TESTED], latentia.__file__


class Forked:
    """A process that goes on from this one, with all that it has imported, and does one job.

    It is asked as a ``Popen`` is. Its status is what the job returns or exits with, or `TRACEBACK`.
    The streams are files that are open; None leaves its own.
    """

    stdin = None

    def __init__(self, job, stdin=None, stdout=None, stderr=None, longest=10 * LONGEST):
        sys.stdout.flush()
        sys.stderr.flush()
        self.returncode = None
        with warnings.catch_warnings():
            # From 3.12 on Python warns of threads, none of which the child needs.
            warnings.simplefilter("ignore", DeprecationWarning)
            self.pid = os.fork()
        if self.pid == 0:
            _run_and_exit(job, (stdin, stdout, stderr), longest)

    def poll(self, options=os.WNOHANG):
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, options)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self):
        return self.poll(options=0)

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)


def forked(job):
    """Return what stands for ``subprocess.Popen`` where words that start Python are run.

    The job gets the words, in a child with the environment and the streams that it is given.
    """

    def popen(words, env, stdin, stdout, stderr, start_new_session):
        assert start_new_session
        assert words[0] == sys.executable
        reading, writing = os.pipe()

        def run():
            os.setsid()
            os.close(writing)
            os.environ.clear()
            os.environ.update(env)
            return job(words)

        process = Forked(run, reading, stdout, stderr)
        os.close(reading)
        process.stdin = os.fdopen(writing, "wb")
        return process

    return popen


def _run_and_exit(job, streams, longest):
    status = TRACEBACK
    # Collecting what the parent holds would copy it.
    gc.disable()
    try:
        signal.alarm(longest)
        for number, stream in enumerate(streams):
            if stream is not None:
                os.dup2(stream if isinstance(stream, int) else stream.fileno(), number)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
        try:
            status = job() or 0
        except SystemExit as ended:
            status = ended.code
        except BaseException:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status if isinstance(status, int) else TRACEBACK)
