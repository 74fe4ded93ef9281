"""Rows of the database as typed values, one file a subject: what the store reads, and everybody else is handed."""
