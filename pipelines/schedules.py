"""When it runs by itself: every night at four, where the patients are.

Not at two or three: on one night in March 02:00-03:00 does not exist, and on one in October it exists twice.
"""

from __future__ import annotations

import dagster as dg

from pipelines.jobs import nightly

TIMEZONE = "Europe/Amsterdam"
CRON = "0 4 * * *"


@dg.schedule(
    name="every_night",
    job=nightly,
    cron_schedule=CRON,
    execution_timezone=TIMEZONE,
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def every_night(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """One run per night, for the date of that night."""
    as_of = context.scheduled_execution_time.date().isoformat()
    return dg.RunRequest(run_key=as_of, run_config={"ops": {"night": {"config": {"as_of": as_of}}}})
