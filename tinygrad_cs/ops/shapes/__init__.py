"""Operations that change shape or order."""
