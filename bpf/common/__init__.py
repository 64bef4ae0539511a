"""What every room uses: errors, sizes and privileges."""
