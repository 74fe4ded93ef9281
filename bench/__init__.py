"""The bench: Bellhop beside a bare Temporal workflow, on the same server in the same run. See docs/performance.md."""
