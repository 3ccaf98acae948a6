"""What each of two processes does, all in one start of torchrun; the tests read what they write.

The last of the moments' steps brings the processes down, so that it comes last.
"""

import traceback

import torch
import torch.distributed

from latentia.training.distributed import process_group
from tests.children import check_package
from tests.distributed import test_collectives, test_moments_of_processes, train_rank


def main(folder):
    """Do every job in one group, and tell that it is left when one breaks off."""
    check_package()
    try:
        with process_group(torch.device("cpu")):
            for job in (test_collectives, train_rank, test_moments_of_processes):
                job.write(folder)
    except Exception:
        traceback.print_exc()
        raise
    finally:
        if not torch.distributed.is_initialized():
            (folder / "left").touch()
