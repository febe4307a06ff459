-- 0010: why there is no answer.
--
-- The sentence that the person was told when an answer failed: it stays with
-- what came of the answer, and is never more than that sentence.
ALTER TABLE message ADD COLUMN error TEXT;

-- A call of a tool that did not run says so from now on; those of before did
-- not always.
UPDATE tool_run SET result = 'The person did not allow this call'
WHERE state = 'denied' AND result IS NULL;
UPDATE tool_run SET result = 'The answer ended before the call did'
WHERE state = 'failed' AND result IS NULL;
