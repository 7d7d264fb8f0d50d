"""The spec compiler: reads spec/*.spec, checks it, and writes what is generated from it."""
