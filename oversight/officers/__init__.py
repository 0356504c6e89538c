"""Who may approve what: accounts and who stands behind them."""
