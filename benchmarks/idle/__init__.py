"""Hundreds of hospitals in one service, nearly all of them at rest."""
