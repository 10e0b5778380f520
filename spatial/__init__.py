"""The spatial graph: site → building → storey → space → element, and where everything is."""
