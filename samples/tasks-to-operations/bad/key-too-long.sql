-- With PT- in front this key is longer than the 255 characters that a part's may have.
INSERT INTO machining_task (key, name) VALUES (repeat('K', 253), 'The longest key');
