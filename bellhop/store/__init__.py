"""The only room that speaks SQL. Functions take an open connection and never commit: that is for the edge to do."""
