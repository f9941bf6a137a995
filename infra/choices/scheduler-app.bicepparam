// A choice: the task hub is in the Durable Task Scheduler.
using '../app.bicep'
extends '../prod.bicepparam'

param durableBackend = 'DurableTaskScheduler'
