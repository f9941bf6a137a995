// Notices to a channel, and ids that are translated in the caller's name.
using '../app.bicep'
extends '../prod.bicepparam'

param notifies = true
param settings = union(base.settings, { ID_TRANSLATION: 'delegated' })
