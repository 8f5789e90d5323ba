-- Why: operators see requests about subscriptions that do not come to an end, and before an invoice is paid somebody asks whether its subscription is being canceled;
-- neither reads the requests that ended long ago.
CREATE INDEX subscription_commands_open_index ON subscription_commands (subscription) WHERE state = 'open';
