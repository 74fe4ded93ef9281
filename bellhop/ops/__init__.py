"""What operators run: the doctor, reconciliation, administration, seeding, migrations."""
