"""Run the example notebooks and store their outputs, without live widgets: so they can be read where nothing runs.

python examples/refresh.py            all notebooks beside this file
"""

from pathlib import Path

import nbformat
from nbclient import NotebookClient

WIDGET = "application/vnd.jupyter.widget-view+json"


def refresh(path: Path) -> None:
    """Execute a notebook in place; of its outputs keep those that can be shown without a kernel."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=300, kernel_name="python3", store_widget_state=False, coalesce_streams=True
    )
    client.execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if WIDGET not in output.get("data", {})]
    notebook.metadata.pop("widgets", None)
    nbformat.write(notebook, path)


if __name__ == "__main__":
    for notebook_path in sorted(Path(__file__).parent.glob("*.ipynb")):
        refresh(notebook_path)
        print(notebook_path.name)
