"""Starts Apache Spark with its Connect server on this machine, from an environment that has nothing of ours."""

import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import ExitStack, contextmanager

from tests.engines.sail import ROOT, missing

SERVER = ROOT / ".venv" / "spark-server"
MEMORY = "1g"
FAST = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
STARTS_WITHIN = 120  # seconds
CONNECT = "org.apache.spark.sql.connect.service.SparkConnectServer"


@contextmanager
def apache_spark(folder, workers=0):
    """The address of a Connect server, local or with a master and workers; all of it ends with the block."""
    found = [*SERVER.glob("lib/python*/site-packages/pyspark")]
    if not found:
        missing("Apache Spark is not installed: make .venv/spark-server/installed")
    if not shutil.which("java"):
        missing("Apache Spark needs Java: apt install default-jre-headless")
    (folder / "log4j2.properties").write_text(
        "rootLogger.level = warn\nrootLogger.appenderRef.stderr.ref = stderr\n"
        "appender.stderr.type = Console\nappender.stderr.name = stderr\nappender.stderr.target = SYSTEM_ERR\n"
    )
    with ExitStack() as running:
        start = Starter(found[0], folder, running)
        master = start.cluster(workers) if workers else "local[2]"
        port = free_port()
        conf = {
            "spark.connect.grpc.binding.address": "127.0.0.1",
            "spark.connect.grpc.binding.port": port,
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.executor.memory": MEMORY,
            "spark.sql.catalogImplementation": "in-memory",
            "spark.sql.shuffle.partitions": 2,  # few rows
            "spark.sql.warehouse.dir": folder / "warehouse",
            "spark.ui.enabled": "false",
        }
        settings = [part for name, value in conf.items() for part in ("--conf", f"{name}={value}")]
        of_java = ("--driver-memory", MEMORY, "--driver-java-options", FAST, "--class", CONNECT)
        start("spark-submit", "--master", master, *of_java, *settings, "spark-internal", listens=port)
        yield f"sc://127.0.0.1:{port}"


class Starter:
    """Starts programs of Spark, which end with the block."""

    def __init__(self, home, folder, running):
        self.home, self.folder, self.running = home, folder, running
        self.environment = {
            "HOME": str(folder),
            "PATH": os.environ["PATH"],
            "PYSPARK_PYTHON": str(SERVER / "bin" / "python"),
            "SPARK_CONF_DIR": str(folder),
            "SPARK_HOME": str(home),
            "SPARK_LOCAL_DIRS": str(folder),
            "SPARK_LOCAL_IP": "127.0.0.1",
            **{name: os.environ[name] for name in ("JAVA_HOME",) if name in os.environ},
        }

    def __call__(self, program, *arguments, listens):
        log = self.folder / f"{listens}.log"
        with log.open("wb") as told:
            process = subprocess.Popen(
                [self.home / "bin" / program, *map(str, arguments)],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=told,
                start_new_session=True,  # what it starts itself ends with it
            )
        self.running.callback(end, process)
        until = time.monotonic() + STARTS_WITHIN
        while not is_open(listens):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(log.read_text(errors="replace")[-3000:])
            time.sleep(0.1)

    def cluster(self, workers):
        """A master's address; each worker has one core."""
        port = free_port()
        of = ("--host", "127.0.0.1", "--webui-port", 0, "--port")
        self("spark-class", "org.apache.spark.deploy.master.Master", *of, port, listens=port)
        for _ in range(workers):
            own = free_port()
            has = ("--cores", 1, "--memory", MEMORY, "--work-dir", self.folder, f"spark://127.0.0.1:{port}")
            self("spark-class", "org.apache.spark.deploy.worker.Worker", *of, own, *has, listens=own)
        return f"spark://127.0.0.1:{port}"


def end(process):
    """Ends a process and those that it started."""
    with ExitStack() as ended:
        ended.callback(process.wait)
        os.killpg(process.pid, signal.SIGKILL)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def is_open(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
