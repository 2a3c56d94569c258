"""Zhilin (知邻): a WeCom bot for banks."""

__version__ = "0.1.0"
