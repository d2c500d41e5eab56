"""Ground truth by exact mathematics: linear programmes, interior points, Newton, rational proofs."""
