from twin.migrations import run

revision = "0006"
down_revision = "0005"
upgrade = run("0006_job_queue.sql")
