"""dlt: chat_history of the database argv[1] into gzipped JSON lines in the folder argv[2]."""

import sys

import dlt
from dlt.sources.sql_database import sql_database

database, folder = sys.argv[1:3]
pipeline = dlt.pipeline("bench", destination=dlt.destinations.filesystem(folder), dataset_name="d",
                        pipelines_dir=folder + "/work")
pipeline.run(sql_database(f"sqlite:///{database}", table_names=["chat_history"]), loader_file_format="jsonl")
