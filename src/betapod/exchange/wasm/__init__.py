"""Models as WebAssembly: the engine's own program for browsers and Node, and the JavaScript that runs it."""
