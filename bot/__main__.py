"""``python -m bot`` and the ``zhilin`` command."""

from bot.cli import main

if __name__ == "__main__":
    main()
