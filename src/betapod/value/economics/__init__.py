"""What numbers of costs and quality-adjusted life-years mean for a decision: functions of arrays alone."""
