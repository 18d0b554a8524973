"""What is kept of a benchmark in a file: the machine's parts, not its name."""

from typing import Any


def pytest_benchmark_update_machine_info(config: Any, machine_info: dict[str, Any]) -> None:
    """Leave out the machine's name, and add its graphics card and torch's version."""
    import torch

    for name in ("node", "release", "python_build"):
        machine_info.pop(name, None)
    machine_info.get("cpu", {}).pop("flags", None)
    machine_info["torch"] = str(torch.__version__)
    machine_info["card"] = torch.cuda.get_device_name() if torch.cuda.is_available() else None
