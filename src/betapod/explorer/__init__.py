"""The explorer: one HTML page that simulates people in the browser, by the WebAssembly module of the reference model."""
