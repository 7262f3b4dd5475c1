"""One run of a function on stand-ins, which writes down what is done with them."""
