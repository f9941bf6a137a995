metadata description = 'One page to look at: coverage by age, jobs, throttling, and what it costs to keep.'

param location string
param tags object
param workspaceId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'mailbox-vault')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Mailbox Vault'
    category: 'workbook'
    sourceId: workspaceId
    serializedData: string({
      version: 'Notebook/1.0'
      items: [
        {
          type: 1
          content: { json: 'What each line means, and what to do: docs/operate.md. Names of mailboxes are their keys.' }
        }
        {
          type: 3
          name: 'coverage'
          content: {
            version: 'KqlItem/1.0'
            title: 'Mailboxes by the age of the last look at them'
            query: loadTextContent('../queries/workbook-coverage.kql')
            size: 0
            queryType: 0
            resourceType: 'microsoft.operationalinsights/workspaces'
            visualization: 'barchart'
          }
        }
        {
          type: 3
          name: 'jobs'
          content: {
            version: 'KqlItem/1.0'
            title: 'Functions, by how often they ran, failed and how long they took'
            query: loadTextContent('../queries/workbook-jobs.kql')
            size: 0
            queryType: 0
            resourceType: 'microsoft.operationalinsights/workspaces'
            visualization: 'table'
          }
        }
        {
          type: 3
          name: 'throttling'
          content: {
            version: 'KqlItem/1.0'
            title: 'Answers of storage that asked for patience, or refused, by the hour'
            query: loadTextContent('../queries/workbook-throttling.kql')
            size: 0
            queryType: 0
            resourceType: 'microsoft.operationalinsights/workspaces'
            visualization: 'timechart'
          }
        }
        {
          type: 3
          name: 'cost'
          content: {
            version: 'KqlItem/1.0'
            title: 'What is paid for: logs, and writes and bytes of the vault, by the day'
            query: loadTextContent('../queries/workbook-cost.kql')
            size: 0
            queryType: 0
            resourceType: 'microsoft.operationalinsights/workspaces'
            visualization: 'table'
          }
        }
      ]
    })
  }
}
