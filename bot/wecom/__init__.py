"""WeCom as it is on the wire, in its own words."""
