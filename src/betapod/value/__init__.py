"""Value for money: strategies compared in life-years, quality of life and costs, with all that is uncertain about them."""
