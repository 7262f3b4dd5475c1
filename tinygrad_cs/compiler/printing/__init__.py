"""Programs as NumPy text: the function that runs, and a file for reading that runs by itself."""
