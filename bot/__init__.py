"""Zhilin (知邻): a WeCom bot for banks."""

import os

__version__ = "0.1.0"

# Before anything loads numpy: the threads of its BLAS wait for each other, busily, which takes as
# much of a small machine as the answer itself.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
