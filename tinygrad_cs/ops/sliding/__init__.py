"""Operations on windows: convolution, pooling, unfolding, interpolation."""
