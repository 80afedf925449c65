"""Links sellers' accounts to marketplaces, keeps their secrets, and checks what the accounts may do."""
