import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from twin import jobs
from twin.db import Database, connect, row
from twin.errors import Invalid
from twin.jobs import Handler, Job, JobContext, cancel_job, create_job, find_job, follow_job, run_worker


@asynccontextmanager
async def worker(db: Database, **handlers: Handler) -> AsyncIterator[None]:
    task = asyncio.create_task(run_worker(db, handlers))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def ask(db: Database, kind: str, **args: Any) -> UUID:
    async with db.transaction() as conn:
        return await create_job(conn, kind, args, building_id=None, actor_name="cli")


async def until(db: Database, job_id: UUID, condition: Callable[[Job], bool] = lambda job: job.is_over) -> Job:
    async with asyncio.timeout(30):
        async for job in follow_job(db, job_id, every=0.02):
            if condition(job):
                return job
    raise AssertionError("the job is over and never was what was waited for")


async def test_a_job_tells_its_stage_and_ends_with_its_result(db: Database) -> None:
    go_on = asyncio.Event()

    async def double(job: JobContext) -> dict[str, Any]:
        await job.report("thinking", 0.5)
        await go_on.wait()
        return {"twice": job.args["n"] * 2}

    async with worker(db, double=double):
        job_id = await ask(db, "double", n=21)
        thinking = await until(db, job_id, lambda job: job.stage == "thinking")
        assert (thinking.state, thinking.progress) == ("running", 0.5)
        go_on.set()
        done = await until(db, job_id)
    assert (done.state, done.progress, done.result) == ("done", 1.0, {"twice": 42})


@pytest.mark.timeout(120)
async def test_whenever_a_worker_or_a_pool_is_told_to_stop_nothing_of_it_is_left(db: Database) -> None:
    async def pool() -> None:
        async with connect(db.url):
            await asyncio.sleep(60)

    async def left(work: Coroutine[Any, Any, None], turns: int) -> set[str]:
        before = asyncio.all_tasks()
        task = asyncio.create_task(work)
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        names = {each.get_name() for each in asyncio.all_tasks() - before}
        return {name for name in names if not name.startswith("Task-")}  # those come and go with pools that are open

    for turns in (0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89):
        assert await left(run_worker(db, {}), turns) == set(), turns
        assert await left(pool(), turns) == set(), turns


async def test_a_running_job_says_what_it_counts_and_no_more_once_it_is_over(db: Database) -> None:
    go_on = asyncio.Event()

    async def count(job: JobContext) -> dict[str, Any]:
        await job.report("counting", 0.5, done=3, total=6, bytes=None)
        await go_on.wait()
        return {}

    async with worker(db, count=count):
        job_id = await ask(db, "count")
        counting = await until(db, job_id, lambda job: job.stage == "counting")
        assert counting.detail == {"done": 3, "total": 6}  # and no time left: there is no pace yet
        go_on.set()
        assert (await until(db, job_id)).detail is None


async def test_a_job_of_a_rolled_back_request_is_never_run(db: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with db.transaction() as conn:
            lost = await create_job(conn, "any", {}, building_id=None, actor_name=None)
            raise ZeroDivisionError
    async with db.connection() as conn:
        assert await find_job(conn, lost) is None
        assert await row(conn, "SELECT count(*) AS n FROM procrastinate_jobs") == {"n": 0}


async def test_a_job_that_cannot_use_its_input_fails_with_code_text_and_place(db: Database) -> None:
    async def refuse(_: JobContext) -> dict[str, Any]:
        raise Invalid("building.name", where="line 3")

    async with worker(db, refuse=refuse):
        job = await until(db, await ask(db, "refuse"))
    assert job.state == "failed"
    assert job.error and (job.error["code"], job.error["where"]) == ("building.name", "line 3")
    zh, en = jobs.error_in(job, "zh"), jobs.error_in(job, "en")
    assert zh and en and "建筑" in zh["message"] and "building" in en["message"]


async def test_a_mistake_in_the_program_fails_the_job_and_not_the_worker(db: Database) -> None:
    async def crash(_: JobContext) -> dict[str, Any]:
        raise KeyError("a mistake")

    async def fine(_: JobContext) -> dict[str, Any]:
        return {}

    async with worker(db, crash=crash, fine=fine):
        crashed = await until(db, await ask(db, "crash"))
        assert crashed.error and crashed.error["code"] == "job.crashed"
        assert (await until(db, await ask(db, "fine"))).state == "done"


async def test_a_running_job_can_be_cancelled_while_it_waits_for_something_else(db: Database) -> None:
    cleaned_up = asyncio.Event()

    async def forever(job: JobContext) -> dict[str, Any]:
        await job.report("waiting", 0.1)
        try:
            await asyncio.Event().wait()
        finally:
            cleaned_up.set()
        return {}

    async with worker(db, forever=forever):
        job_id = await ask(db, "forever")
        await until(db, job_id, lambda job: job.stage == "waiting")
        async with db.transaction() as conn:
            await cancel_job(conn, job_id)
        assert (await until(db, job_id)).state == "cancelled"
    assert cleaned_up.is_set()


async def test_a_waiting_job_is_cancelled_at_once(db: Database) -> None:
    job_id = await ask(db, "any")
    async with db.transaction() as conn:
        assert (await cancel_job(conn, job_id)).state == "cancelled"
        assert await row(conn, "SELECT count(*) AS n FROM procrastinate_jobs WHERE status = 'todo'") == {"n": 0}


async def test_a_stopped_worker_puts_its_job_back_and_the_next_one_does_it(db: Database) -> None:
    async def forever(job: JobContext) -> dict[str, Any]:
        await job.report("waiting", 0.1)
        await asyncio.Event().wait()
        return {}

    async def quick(_: JobContext) -> dict[str, Any]:
        return {"by": "the next one"}

    async with worker(db, work=forever):
        job_id = await ask(db, "work")
        await until(db, job_id, lambda job: job.stage == "waiting")
    async with db.connection() as conn:
        waiting = await find_job(conn, job_id)
        assert waiting and waiting.state == "queued"
    async with worker(db, work=quick):
        assert (await until(db, job_id)).result == {"by": "the next one"}


async def test_jobs_with_the_same_lock_run_one_after_the_other(db: Database) -> None:
    running, most = 0, 0

    async def count(_: JobContext) -> dict[str, Any]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.05)
        running -= 1
        return {}

    async with db.transaction() as conn:
        made = [
            await create_job(conn, "count", {}, building_id=None, actor_name=None, lock="model:1") for _ in range(4)
        ]
    async with worker(db, count=count):
        for job_id in made:
            assert (await until(db, job_id)).state == "done"
    assert most == 1


PROGRAM = """
import asyncio, sys
from twin import db, jobs
async def hang(job):
    await job.report("hanging", 0.3)
    await asyncio.Event().wait()
async def main():
    async with db.connect(sys.argv[1], 4) as database:
        await jobs.run_worker(database, {"work": hang})
asyncio.run(main())
"""


@asynccontextmanager
async def hanging_process(db: Database, job_id: UUID) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, db.url)
    try:
        await until(db, job_id, lambda job: job.stage == "hanging" and job.state == "running")
        yield process
    finally:
        if process.returncode is None:
            os.kill(process.pid, signal.SIGKILL)
            await asyncio.wait_for(process.wait(), 30)


async def test_a_job_whose_worker_was_killed_is_done_by_the_next_one(db: Database) -> None:
    async def quick(_: JobContext) -> dict[str, Any]:
        return {"by": "the next one"}

    job_id = await ask(db, "work")
    async with hanging_process(db, job_id):
        assert await jobs.recover(db) == 0  # a living worker keeps its job
    async with worker(db, work=quick):
        job = await until(db, job_id)
    assert (job.state, job.result) == ("done", {"by": "the next one"})


async def test_a_job_that_kills_every_worker_fails_after_the_third(db: Database) -> None:
    job_id = await ask(db, "work")
    async with db.connection() as conn:
        await conn.execute("UPDATE job SET attempts = %s WHERE id = %s", (jobs.ATTEMPTS - 1, job_id))
    async with hanging_process(db, job_id):
        pass
    async with worker(db):
        job = await until(db, job_id)
    assert job.state == "failed"
    assert job.error and job.error["code"] == "job.interrupted"
