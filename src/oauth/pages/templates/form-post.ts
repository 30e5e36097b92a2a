export const formPost = `
<% layout('@layout', { title: it.t('form-post.title') }) %>
<h1><%= it.t('form-post.title') %></h1>
<p class="lead"><%= it.t('form-post.text', { client: it.client }) %></p>
<form method="post" action="<%= it.action %>">
<% Object.entries(it.hidden).forEach(([name, value]) => { %>
<input type="hidden" name="<%= name %>" value="<%= value %>">
<% }) %>
<div class="actions">
<button type="submit"><%= it.t('form-post.submit') %></button>
</div>
</form>
<script><%~ it.script %></script>
`;
