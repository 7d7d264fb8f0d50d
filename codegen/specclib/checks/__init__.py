"""The static checks, one module for each family; run.py puts them in order."""
