"""Who may do what at a broker of one's own: accounts made, accounts used."""
