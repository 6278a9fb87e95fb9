"""Execution: tasks in one or several processes, progress bars, atomic files."""
