// What the Go test that runs this suite has set up.
import { readFileSync } from 'node:fs'

export const world = JSON.parse(readFileSync(process.env.WORLD, 'utf8'))
export const redirect = 'http://127.0.0.1:4713/callback'

// agree has a person open an address and returns where they were sent in the end.
export async function agree(address) {
  const answer = await fetch(`${world.browser}/?url=${encodeURIComponent(address)}`)
  const text = await answer.text()
  if (!answer.ok) throw new Error(text)
  return new URL(text)
}

// register creates a client through the management API.
export async function register(client) {
  const answer = await fetch(`${world.management}/v1/clients`, {
    method: 'POST',
    headers: { authorization: `Bearer ${world.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ organization: world.organization, environment: 'live', ...client }),
  })
  const made = await answer.json()
  if (!answer.ok) throw new Error(JSON.stringify(made))
  return { id: made.client.id, secret: made.secret }
}
