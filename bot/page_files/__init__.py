"""What every page of the house shares: its colours and spaces, and hands for its elements."""

from pathlib import Path

FOLDER = Path(__file__).parent
