"""The only room that speaks SQL. Functions take an open connection and never commit: transactions belong to the edge."""
