"""One person's labs, people of the library who are like them, and what becomes of these under several options."""
