"""The claims: what each says, the questions it is asked, its verdict."""
