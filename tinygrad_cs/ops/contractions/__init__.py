"""Products that sum: of matrices, and einsum."""
