"""Users' CSVs on their own machine: checked, understood and converted, with DuckDB."""
