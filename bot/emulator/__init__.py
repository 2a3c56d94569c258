"""A local WeCom: answers like the real one, plays people, notes what reached whom."""
