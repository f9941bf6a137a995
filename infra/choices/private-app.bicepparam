// The app of a vault that answers inside a virtual network only.
using '../app.bicep'
extends '../prod.bicepparam'

param isolated = true
